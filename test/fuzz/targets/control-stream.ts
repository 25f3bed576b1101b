import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import { serveControl } from '@ringfence/control';
import { attach } from '@ringfence/control/wire';
import {
  type Authority,
  createAuthority,
  createRequest,
  Enrolments,
  FleetStanding,
  type TlsMaterial,
} from '@ringfence/identity';
import { createSigningKey, encodeSigned, type Role } from '@ringfence/wire';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import type { FuzzSession, FuzzTarget } from '../lib/target.ts';
import { fromAgentBy, HOST } from './control.ts';

/** Returns a gRPC message: a flag for compression, the length and the bytes. */
function framed(random: Random, message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(random.once(30) ? random.next() & 0xff : 0, 0);
  head.writeUInt32BE(random.once(30) ? random.next() : message.length, 1);
  return Buffer.concat([head, message]);
}

const hello = attach.requestSerialize({
  hello: { hostId: HOST, bootId: 'boot', agentVersion: '0', unacknowledged: [] },
});

/** Returns the bytes of a stream: mostly a valid hello, then any messages. */
function streamBy(random: Random): Buffer {
  const messages = Array.from({ length: random.below(4) }, () => {
    const message = attach.requestSerialize(fromAgentBy(random));
    return framed(random, random.once(2) ? mutate(message, random) : message);
  });
  const begin = random.once(4) ? [] : [framed(random, hello)];
  const stream = Buffer.concat([...begin, ...messages]);
  return random.once(4) ? mutate(stream, random) : stream;
}

interface Member {
  readonly tls: TlsMaterial;
  readonly enrolment: { readonly key: string; readonly value: Buffer };
}

async function member(authority: Authority, subject: string, role: Role): Promise<Member> {
  const { key, csr } = await createRequest(subject);
  const hosts = role === 'agent' ? [] : ['127.0.0.1'];
  const { certificate, serial } = await authority.issue({ csr, subject, roles: [role], hosts, days: 1 });
  const { keyId, publicKey } = createSigningKey();
  const at = Date.now() * 1000;
  const draft = {
    ...{ subject, role, publicKey: publicKey.export({ type: 'spki', format: 'der' }), signingKeyId: keyId },
    ...{ certificateSerials: [serial], issuedAt: at, revokedAt: 0, version: 1 },
  };
  const value = encodeSigned('Enrolment', draft, authority.root);
  return {
    tls: { certificate, key, authority: authority.certificate },
    enrolment: { key: `${subject}/${keyId}`, value },
  };
}

function request(session: ClientHttp2Session): ClientHttp2Stream {
  return session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: attach.path,
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
  });
}

/**
 * gRPC writes no status if the server sends a message after an invalid one has arrived: the stream stays open for the
 * client, whose agent is detached.
 */
const LEFT_OPEN_MS = 150;

/** Sends the bytes on a stream of an agent that is enrolled. Returns the status of gRPC. */
async function statusOf(session: ClientHttp2Session, bytes: Buffer): Promise<string> {
  const stream = request(session);
  let status: string | undefined;
  const take = (headers: object): void => {
    status = (headers as Record<string, string | undefined>)['grpc-status'] ?? status;
  };
  stream.on('response', take);
  stream.on('trailers', take);
  stream.on('error', () => {});
  stream.resume();
  const closed = once(stream, 'close');
  stream.end(bytes);
  let isLeftOpen = false;
  const timer = setTimeout(() => {
    isLeftOpen = true;
    stream.close(constants.NGHTTP2_CANCEL);
  }, LEFT_OPEN_MS);
  await closed;
  clearTimeout(timer);
  if (isLeftOpen) return 'left open';
  return status === undefined ? 'reset' : `status ${status}`;
}

/** The streams of all agents of a fleet end here: one agent that was taken over may not stop the others. */
export const controlStream: FuzzTarget = {
  name: 'control-stream',
  description: "gRPC streams of an enrolled agent, over mutual TLS, to a responder's port",
  shortRuns: 80,
  // 0 OK, 1 cancelled, 3 invalid argument, 4 too late, 7 permission denied, 8 resource exhausted, 10 aborted,
  // 12 unimplemented, 13 internal: the bytes are no message
  outcomes: ['reset', 'left open', ...[0, 1, 3, 4, 7, 8, 10, 12, 13].map((code) => `status ${code}`)],
  memoryMax: 32 << 20,
  async open(): Promise<FuzzSession> {
    const directory = mkdtempSync(join(tmpdir(), 'rf-fuzz-'));
    const stack = new AsyncDisposableStack();
    stack.defer(() => rmSync(directory, { recursive: true, force: true }));
    const authority = await createAuthority(join(directory, 'ca'));
    const [agent, responder] = [
      await member(authority, HOST, 'agent'),
      await member(authority, 'responder-1', 'responder'),
    ];
    const bus = {
      async *read({ follow = false, signal }: { readonly follow?: boolean; readonly signal?: AbortSignal }) {
        yield* [agent.enrolment, responder.enrolment];
        if (follow && signal !== undefined) await once(signal, 'abort');
      },
    };
    const enrolments = stack.use(await Enrolments.open({ bus, root: authority.root.publicKey }));
    const tls = { current: () => responder.tls, onChange: () => ({ [Symbol.dispose]: () => {} }) };
    // A message that is cut off is waited for: for the hello, or for as long as the agent may be silent.
    const waits = { helloTimeoutMs: 200, heartbeatMs: 100 };
    const standing = new FleetStanding(authority.root.publicKey);
    const options = { port: 0, tls, enrolments, standing, onResult: async () => {}, log: silentLog, ...waits };
    const server = stack.use(await serveControl(options));
    const { authority: ca, certificate: cert, key } = agent.tls;
    let session: ClientHttp2Session | undefined;
    const connected = (): ClientHttp2Session => {
      if (session === undefined || session.closed || session.destroyed)
        session = connect(`https://127.0.0.1:${server.port}`, { ca, cert, key }).on('error', () => {});
      return session;
    };
    stack.defer(() => session?.destroy());
    return {
      generate: streamBy,
      run: (input) => statusOf(connected(), input),
      async finish() {
        const head = Buffer.alloc(5);
        head.writeUInt32BE(hello.length, 1);
        const stream = request(connected());
        stream.write(Buffer.concat([head, hello]));
        await once(stream, 'data');
        if (!server.attached(HOST)) throw new Error('a valid agent is not attached');
        await stack.disposeAsync();
      },
    };
  },
};
