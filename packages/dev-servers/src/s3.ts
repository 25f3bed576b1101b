import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { digest } from './cache.ts';
import { type GoProgram, goProgram, goProgramMissing } from './go-program.ts';
import { reservePorts } from './ports.ts';
import { answersOk } from './probe.ts';
import { type RunningServer, ServerProcess, withControls } from './server-process.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

const SOURCE = join(import.meta.dirname, '../go/s3');
const PROGRAM: GoProgram = {
  name: 's3',
  goMinor: 24,
  key: digest(...['go.mod', 'go.sum', 'main.go'].map((name) => readFileSync(join(SOURCE, name)))),
  build: (place) => ({ args: ['build', '-o', join(place, 's3'), '.'], cwd: SOURCE }),
};

/** An S3 server with one bucket, that checks signatures with AWS's own signer. */
export interface S3Server extends RunningServer, AsyncDisposable {
  /** URL of the bucket */
  readonly url: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The objects are files below this directory. */
  readonly directory: string;
  /** Names of the objects, sorted */
  objects(): string[];
}

/** Returns the reason why the S3 server can't be started; undefined when it can. */
export const s3Missing = (): string | undefined => goProgramMissing(PROGRAM);

/** Starts an S3 server on a free port of 127.0.0.1. */
export async function startS3(): Promise<S3Server> {
  const program = await goProgram(PROGRAM);
  await using undo = new AsyncDisposableStack();
  const [port] = undo.use(await reservePorts(1)).ports;
  const place = undo.adopt(createWorkplace('s3'), removeWorkplace);
  const directory = join(place, 'objects');
  for (const path of [directory, join(place, 'meta')]) mkdirSync(path);
  const facts = { region: 'eu-test-1', accessKey: 'AKIATEST', secretKey: 'test/secret+key' };
  const server = new ServerProcess({
    title: 'S3',
    command: [program, `127.0.0.1:${port}`, place, 'bucket', facts.region, facts.accessKey, facts.secretKey],
    log: join(place, 'log'),
    isReady: () => answersOk(`http://127.0.0.1:${port}/ready`),
  });
  undo.defer(() => server.remove());
  await server.start();
  const started = undo.move();
  return withControls(server, {
    url: `http://127.0.0.1:${port}/bucket`,
    ...facts,
    directory,
    objects: () => filesBelow(directory),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  });
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .sort();
