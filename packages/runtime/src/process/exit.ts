/**
 * Ends the process, once what it has printed is out: a pipe takes no more at once than its reader has room for, and the rest would be lost.
 *
 * Node 24 frees each socket when it ends by itself, and may spin there for ever over one whose peer was killed (Environment::CleanupHandles).
 */
export async function exitAfterFlush(): Promise<never> {
  const printed = [process.stdout, process.stderr].map(
    // An error means that nobody reads it any more.
    (stream) => new Promise<void>((resolve) => stream.write('', () => resolve())),
  );
  await Promise.all(printed);
  process.exit();
}
