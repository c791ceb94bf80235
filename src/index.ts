/** The public library surface. Adapters are opened by address; authors of others find the laws in `./conformance`. */
export { systemClock } from './compose/clock.ts';
export { openExistingStore, openQueue, openStore, queueAddress, storeAddress } from './compose/open.ts';
export { buildSettings, type Invocation, loadConfiguration } from './compose/settings.ts';
export { createLogger, Worker, type WorkerOptions, type WorkSummary } from './compose/worker.ts';
export type { QueueAddress, QueueReference, StoreAddress, StoreReference } from './configuration/addresses.ts';
export { ConfigurationError, type Mistake } from './configuration/mistakes.ts';
export type { Configuration } from './configuration/resolve.ts';
export { configurationSchema } from './configuration/schema.ts';
export type { Settings, Values } from './configuration/settings.ts';
export {
  type ClaimCommand,
  type Command,
  claimType,
  commandId,
  type NumberedCommand,
  type NumberedType,
  numberedTypes,
  type SkipCommand,
  type SkipDecision,
  skipType,
  wireLimits,
} from './domain/command.ts';
export { type Cursor, initialCursor, type Reign, type SkippedRange } from './domain/cursor.ts';
export type { Content, Delivery, Position, Refusal } from './domain/delivery.ts';
export { canonicalDump, canonicalDumpParts } from './domain/documents/canonical.ts';
export { type ErrorCode, errorDefinitions, isPersistenceError, PersistenceError } from './domain/errors.ts';
export {
  type Epoch,
  type Ordinal,
  parseSessionId,
  parseWriter,
  type Sequence,
  type SessionId,
  type Writer,
} from './domain/identifiers.ts';
export type { Message, MessageHeader } from './domain/message.ts';
export { partitionOf } from './domain/partition.ts';
export type { DeadLetter, DeadLetterReason, Decision, FiledRecord, Plan, SourceId, Tally } from './domain/plan.ts';
export { addPlan, emptyTotals, type StoreTotals } from './domain/totals.ts';
export { decodeBinary, encodeBinary } from './domain/wire/binary.ts';
export { refusalOf } from './domain/wire/content.ts';
export { decodeEvent, encodeEvent } from './domain/wire/structured.ts';
export type { ConnectionOptions } from './http-client/connection.ts';
export { connectService, type RemoteService } from './http-client/remote-service.ts';
export { RemoteSink } from './http-client/remote-sink.ts';
export { RemoteWatch } from './http-client/remote-watch.ts';
export { Pipeline, type PipelineOptions, type PipelineSource, type PipelineSummary } from './pipeline/pipeline.ts';
export type { Clock } from './ports/clock.ts';
export type {
  BatchSource,
  Consumer,
  FencedPublisher,
  Queue,
  QueueCapabilities,
  QueuedDelivery,
  ReplaySource,
} from './ports/queue.ts';
export type { AcceptedEntry, Waiting } from './ports/service.ts';
export type { SessionWatch } from './ports/session-watch.ts';
export type {
  BackupSize,
  LogRange,
  Page,
  SessionView,
  Store,
  StoreCapabilities,
  StoreIdentity,
} from './ports/store.ts';
export type { CommittedBatch, PipelineEvents, PipelineState, Retrying } from './ports/telemetry.ts';
export { type Acknowledgement, DeadLettered } from './publisher/acknowledgement.ts';
export type { JsonDocument } from './publisher/json-document.ts';
export type { Load } from './publisher/outbox.ts';
export type { CommandOutcome } from './publisher/outcome.ts';
export { awaitOutcome, Outcomes, type OutcomesOptions } from './publisher/outcomes.ts';
export { type OpenOptions, Publisher, type PublisherOptions } from './publisher/publisher.ts';
export type { SendOptions, SessionWriter } from './publisher/session-writer.ts';
export type { Sink } from './publisher/sink.ts';
export { SessionReader } from './read-side/session-reader.ts';
export { StoreWatch, type StoreWatchOptions } from './read-side/store-watch.ts';
export type { WaitingMeans } from './read-side/waiting.ts';
