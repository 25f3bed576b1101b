import { BadCommandError } from '@ringfence/control';
import { checkHello } from '@ringfence/control/hello';
import { commandId, readResult } from '@ringfence/control/records';
import {
  attach,
  type FromAgent,
  interestFromWire,
  interestToWire,
  type ReceivedFromAgent,
  type ReceivedToAgent,
  type ToAgent,
} from '@ringfence/control/wire';
import { createTestCommand, createTestResult } from '@ringfence/synthetic';
import { encode } from '@ringfence/wire';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import type { FuzzTarget } from '../lib/target.ts';

/** The subject of the agent's certificate. */
export const HOST = '00000000-0000-4000-8000-000000000001';

const COMMAND = encode('Command', createTestCommand('cause'));
const RESULT = encode('Result', createTestResult(createTestCommand('cause')));

const FROM_AGENT = 0;
const TO_AGENT = 1;

const PEER = {
  ...{ subject: HOST, roles: ['agent'] as const, serial: '01' },
  notAfter: Number.POSITIVE_INFINITY,
};

export function fromAgentBy(random: Random): FromAgent {
  const unacknowledged = Array.from({ length: random.below(4) }, () => random.text(200));
  switch (random.below(3)) {
    case 0:
      return {
        hello: {
          hostId: random.once(2) ? HOST : random.text(),
          bootId: random.text(),
          agentVersion: random.text(),
          unacknowledged,
        },
      };
    case 1:
      return { result: mutate(RESULT, random) };
    default:
      return { heartbeat: {} };
  }
}

function toAgentBy(random: Random): ToAgent {
  const texts = (): string[] => Array.from({ length: random.below(4) }, () => random.text());
  switch (random.below(5)) {
    case 0:
      return { welcome: { heartbeatMs: random.next() } };
    case 1:
      return { command: mutate(COMMAND, random) };
    case 2:
      return {
        interest: {
          ...interestToWire({
            version: random.below(1000),
            openPathPrefixes: random.once(3) ? null : texts(),
            openNames: texts(),
            openExecutables: texts(),
            changePathPrefixes: texts(),
            changeNames: texts(),
            openPaths: texts(),
            rawPaths: random.once(2),
            environment: texts(),
            wants: random.once(3)
              ? null
              : [{ kind: random.text(), form: 'any', scope: 'any', peerPorts: [random.below(70_000)], localPorts: [] }],
          }),
        },
      };
    case 3:
      return { acknowledge: random.text() };
    default:
      return { enrolment: random.bytes(200) };
  }
}

/** What a responder does with a message of an agent, before the stream's state matters. */
function takeFromAgent(message: ReceivedFromAgent): string {
  if (message.result !== undefined) return readResult(message.result) === null ? 'no result' : 'accepted';
  const hello = checkHello(message, PEER as unknown as Parameters<typeof checkHello>[1], () => true);
  return 'code' in hello ? 'refused' : 'accepted';
}

/** What an agent does with a message of a responder. */
function takeToAgent({ interest, command }: ReceivedToAgent): string {
  if (interest !== undefined) interestFromWire(interest);
  if (command === undefined) return 'accepted';
  try {
    commandId(command);
    return 'accepted';
  } catch (error) {
    if (error instanceof BadCommandError) return 'no command';
    throw error;
  }
}

/** Returns null for bytes that are no message: gRPC then ends the stream with INTERNAL. */
function parsed<T>(parse: (bytes: Buffer) => T, bytes: Buffer): T | null {
  try {
    return parse(bytes);
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}

/** The first byte of an input chooses the direction. */
export const control: FuzzTarget = {
  name: 'control',
  description: 'messages of the control stream between agents and responders, in both directions',
  shortRuns: 3000,
  outcomes: ['accepted', 'refused', 'no result', 'no command', 'not protobuf'],
  memoryMax: 8 << 20,
  open: () => ({
    generate(random) {
      const direction = random.below(2);
      const message =
        direction === FROM_AGENT
          ? attach.requestSerialize(fromAgentBy(random))
          : attach.responseSerialize(toAgentBy(random) as ReceivedToAgent);
      const body = random.once(3) ? message : mutate(message, random);
      return Buffer.concat([Buffer.from([direction]), body]);
    },
    run(input) {
      const bytes = input.subarray(1);
      if (input[0] === TO_AGENT) {
        const message = parsed(attach.responseDeserialize, bytes);
        return message === null ? 'not protobuf' : takeToAgent(message);
      }
      const message = parsed(attach.requestDeserialize, bytes);
      return message === null ? 'not protobuf' : takeFromAgent(message as ReceivedFromAgent);
    },
  }),
};
