/** Opens something. Rejects, and closes it, with what keeps it from being open, `QUEUE_CLOSED` once `signal` is aborted. */
export async function openOrClose<Opened extends { open(): Promise<void>; close(): Promise<void> }>(
  opened: Opened,
  signal: AbortSignal | undefined,
): Promise<Opened> {
  const giveUp = (): void => void opened.close();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    if (signal?.aborted === true) await opened.close();
    await opened.open();
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}
