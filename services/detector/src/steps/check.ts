import type { InRecord } from '@ringfence/bus';
import { decode, type Edge, EventView, type Feedback, type Join, MAX_LONG, type RuleCounts } from '@ringfence/wire';
import { DetectorError } from '../errors.ts';
import { MAX_RULES } from '../state/chain.ts';
import type { Verify } from './verify.ts';

/** Bounds of ids and texts in records */
const ID_MAX = 64;
const TEXT_MAX = 1024;
/** Texts of a Join, its reason included */
const MAX_TEXTS = 64;
/** Rules whose counts a partition publishes: the ones in the most chains */
export const MAX_COUNTED_RULES = 1024;
/** Partitions of hosts in a fleet */
const MAX_PARTITIONS = 1000;
const MAX_LANE = 255;
const MAX_CPU = 65_535;

const inRange = (value: number, max: number): boolean => value >= 0 && value <= max;

export const isId = (id: string): boolean => id.length > 0 && id.length <= ID_MAX && !id.includes('/');

/** Throws DetectorError. */
function checked(record: InRecord, verify: Verify): Buffer {
  const { topic, key, value } = record;
  if (value === null) throw new DetectorError('ERR_DETECTOR_BOUNDS', key, `a tombstone, which ${topic} does not have`);
  verify(record, value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/**
 * Walks the whole batch before anything of it is applied, so that a malformed batch changes no state.
 * Throws DetectorError or SchemaError, both poison.
 */
export function createCheckBatch(verify: Verify): (record: InRecord) => Buffer {
  const view = new EventView();
  return function checkBatch(record) {
    const { key: hostId } = record;
    const bytes = checked(record, verify);
    view.open(bytes);
    if (view.head.hostId !== hostId || !isId(hostId)) {
      throw new DetectorError(
        'ERR_DETECTOR_KEY',
        hostId,
        `the batch names the host ${JSON.stringify(view.head.hostId.slice(0, 64))}`,
      );
    }
    const refuse = (problem: string): never => {
      throw new DetectorError('ERR_DETECTOR_BOUNDS', hostId, problem);
    };
    if (Math.abs(view.head.wallOffset) > MAX_LONG) refuse(`a batch whose wall clock is ${view.head.wallOffset} µs off`);
    while (view.next()) {
      const { lane, cpu, sequence, ktime } = view.cursor;
      if (!inRange(lane, MAX_LANE) || !inRange(cpu, MAX_CPU)) refuse(`an event of lane ${lane}, CPU ${cpu}`);
      // A line of a log may be older than the boot.
      if (!inRange(sequence, MAX_LONG) || Math.abs(ktime) > MAX_LONG)
        refuse(`an event with sequence number ${sequence} and time ${ktime}`);
    }
    return bytes;
  };
}

export function createCheckJoin(verify: Verify): (record: InRecord) => Join {
  return function checkJoin(record) {
    const { key } = record;
    const join = decode('Join', checked(record, verify));
    if (!isAboutKey(join, key))
      throw new DetectorError('ERR_DETECTOR_KEY', key, 'a Join that does not match its key or its chains');
    if (!hasBoundedTexts(join))
      throw new DetectorError('ERR_DETECTOR_BOUNDS', key, `a Join with texts of more than ${TEXT_MAX} characters`);
    if (!join.rules.every(isPossibleRule) || join.rules.length > MAX_RULES)
      throw new DetectorError('ERR_DETECTOR_BOUNDS', key, 'a Join with rules that no chain can have');
    return join;
  };
}

function isAboutKey({ hostId, into, from, chain }: Join, key: string): boolean {
  const joined = (chain?.joined ?? []).map(({ id }) => id);
  const ids = [hostId, into.chainId, into.hostId, from.chainId, from.hostId, ...joined];
  const isAddressed = hostId === key && (hostId === into.hostId || (chain === null && hostId === from.hostId));
  const isWhole =
    chain === null || (chain.id === from.chainId && chain.hostId === from.hostId && chain.alerts.length > 0);
  return isAddressed && isWhole && ids.every(isId);
}

function hasBoundedTexts({ edge, kind, why, reason }: Join): boolean {
  const { rule = '', process, peer, objects = {} } = reason ?? {};
  const names = [process, peer].flatMap((name) => (name == null ? [] : [name.entityId, name.executable, name.user]));
  const texts = [edge, kind, why, rule, ...names, ...Object.entries(objects).flat()];
  return texts.length <= MAX_TEXTS && texts.every(({ length }) => length <= TEXT_MAX);
}

const isPossibleRule = ({ rule, weight }: Join['rules'][number]): boolean => rule.length <= TEXT_MAX && weight >= 0;

export function createCheckFeedback(verify: Verify): (record: InRecord) => Feedback {
  return function checkFeedback(record) {
    const feedback = decode('Feedback', checked(record, verify));
    const { hostId, subject, incident, change } = feedback;
    const isAboutKey =
      hostId === record.key && (incident === null || (incident.hostId === hostId && incident.id === subject));
    if (!isAboutKey || !isId(hostId) || !isId(subject))
      throw new DetectorError('ERR_DETECTOR_KEY', record.key, 'Feedback that does not match its key or its incident');
    if (change.by.length > TEXT_MAX || change.note.length > TEXT_MAX)
      throw new DetectorError('ERR_DETECTOR_BOUNDS', hostId, `Feedback of more than ${TEXT_MAX} characters`);
    return feedback;
  };
}

export function createCheckEdge(verify: Verify): (record: InRecord) => Edge {
  return function checkEdge(record) {
    const edge = decode('Edge', checked(record, verify));
    if (edge.edge !== record.key || !isId(edge.edge) || !isId(edge.hostId))
      throw new DetectorError('ERR_DETECTOR_KEY', edge.hostId, 'an Edge under the key of another edge');
    if (edge.detail.length > TEXT_MAX || edge.chainId.length > ID_MAX)
      throw new DetectorError('ERR_DETECTOR_BOUNDS', edge.hostId, `an Edge of more than ${TEXT_MAX} characters`);
    return edge;
  };
}

export function createCheckRuleCounts(verify: Verify): (record: InRecord) => RuleCounts {
  return function checkRuleCounts(record) {
    const counts = decode('RuleCounts', checked(record, verify));
    const { partition, rules } = counts;
    if (String(partition) !== record.key || partition < 0 || partition >= MAX_PARTITIONS)
      throw new DetectorError('ERR_DETECTOR_KEY', record.key, 'RuleCounts under the key of another partition');
    const isCount = (count: number): boolean => count >= 0;
    const isSane = ({ rule, chains, truePositives, falsePositives }: RuleCounts['rules'][number]): boolean =>
      rule.length <= TEXT_MAX && [chains, truePositives, falsePositives].every(isCount);
    if (rules.length > MAX_COUNTED_RULES || !rules.every(isSane))
      throw new DetectorError('ERR_DETECTOR_BOUNDS', record.key, 'RuleCounts that no partition can have');
    return counts;
  };
}
