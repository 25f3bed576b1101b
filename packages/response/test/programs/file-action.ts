/** An action on a file, and a program that is killed at a named point while it carries it out. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { z } from 'zod';
import { type ActionKind, ActionRunner } from '../../src/index.ts';

interface Parameters {
  /** `final`: nothing takes it back. */
  readonly how?: 'fails' | 'hangs' | 'final' | undefined;
}

interface Held {
  readonly id: string;
}

function fileKind(directory: string): ActionKind<Parameters, Parameters & Held, Held> {
  const path = join(directory, 'held');
  return {
    name: 'file',
    parameters: z.strictObject({ how: z.enum(['fails', 'hangs', 'final']).optional() }),
    inverse: z.strictObject({ id: z.string() }),
    plan: async (parameters, { id }) => ({
      ...{ targets: [path], radius: { files: 1 }, spared: [], work: { ...parameters, id } },
      inverse: parameters.how === 'final' ? null : { id },
    }),
    apply: async ({ work: { id, how } }) => {
      writeFileSync(path, [...heldBy(directory), id].join('\n'));
      appendFileSync(join(directory, 'log'), `held ${id}\n`);
      if (how === 'hangs') await sleep(60_000, undefined, { ref: false });
      return { outcome: how === 'fails' ? 'failed' : 'executed', reason: how ?? '', facts: {} };
    },
    undo: async ({ id }) => {
      const held = heldBy(directory);
      if (held.includes(id)) appendFileSync(join(directory, 'log'), `taken back ${id}\n`);
      writeFileSync(path, held.filter((other) => other !== id).join('\n'));
      return { outcome: 'executed', reason: '', facts: {} };
    },
  };
}

/** Ids of the actions that are in force. */
export function heldBy(directory: string): string[] {
  const path = join(directory, 'held');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
}

export function createTestRunner(
  directory: string,
  options: {
    readonly deadlineMs?: number;
    readonly failpoint?: (name: string) => void;
    readonly onError?: (message: string) => void;
  } = {},
): ActionRunner {
  const { onError, ...rest } = options;
  return new ActionRunner({
    ...rest,
    kinds: [fileKind(directory)],
    directory: join(directory, 'journal'),
    log: { ...silentLog, error: (_: unknown, message?: string) => onError?.(message ?? '') },
    now: () => Date.now() * 1000,
  });
}

if (import.meta.main) {
  const [directory = '', point = '', how] = process.argv.slice(2);
  const failpoint = (name: string): void => {
    if (name === point) process.kill(process.pid, 'SIGKILL');
  };
  using runner = createTestRunner(directory, { failpoint });
  await runner.run({
    id: 'killed',
    kind: 'file',
    parameters: how === undefined ? {} : { how },
    until: 0,
    cause: '',
    who: '',
    why: '',
  });
  await runner.undo('killed');
}
