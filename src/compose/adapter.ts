import type { Values } from '../configuration/settings.ts';
import type { CopySource } from '../ports/copy-source.ts';
import type { LeaseOffice } from '../ports/lease.ts';
import type { Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { Finding } from './doctor/finding.ts';

/** Which lease is wanted among the processes that share a store. */
export interface LeaseRequest {
  readonly name: string;
  /** Milliseconds without being renewed after which it is free. */
  readonly lasts: number;
  /** Told once somebody else is found to have taken it. */
  readonly onLost: () => void;
}

/** A kind of store. */
export interface StoreAdapter<Address> {
  /** Opens the store, creating it where it does not exist. */
  open(address: Address, values: Values): Promise<Store>;
  /** Whether there is a store to be read. */
  exists(address: Address, values: Values): Promise<boolean>;
  /** Directories, if it lies in some, in which there may be nothing but the store. */
  directories?(address: Address): readonly string[];
  /** What `doctor` finds of it besides, where it lies elsewhere. */
  examine?(address: Address, values: Values): Promise<readonly Finding[]>;
  /** Who goes first among the processes that share it; where it belongs to one process, its lock decides that. */
  openLease?(address: Address, values: Values, lease: LeaseRequest): Promise<LeaseOffice>;
}

/** What lies at an address: nothing, what macp-runtime wrote, or a store of ours over it. */
export type UpstreamContent = 'nothing' | 'upstream' | 'own';

/** A kind of store that macp-runtime writes by itself, to be read and never written to. */
export interface UpstreamAdapter<Address> {
  examine(address: Address, values: Values): Promise<UpstreamContent>;
  /** `onRemark` is told of everything that is passed over as macp-runtime passes it over. */
  open(address: Address, values: Values, onRemark: (text: string) => void): Promise<CopySource>;
}

/** Told what a queue says of itself: never secrets, never the contents of commands. */
export type QueueLog = (level: 'error' | 'warn' | 'info' | 'debug', message: string) => void;

/** A kind of queue. */
export interface QueueAdapter<Address> {
  /** True when no other process can consume while this one has it open. */
  readonly exclusive: boolean;
  /** Whether there is a queue already. */
  exists(address: Address, values: Values): Promise<boolean>;
  /** What `doctor` finds of it besides, where it lies elsewhere. */
  examine?(address: Address, values: Values): Promise<readonly Finding[]>;
  /** Opens the queue, creating it where it does not exist. */
  open(address: Address, values: Values, log: QueueLog): Promise<Queue>;
}
