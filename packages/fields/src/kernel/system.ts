import { leaf, u64ToBigInt } from '@ringfence/wire';
import { bodyText, type Field, nonEmpty } from '../field.ts';

const sysctl = {
  name: bodyText(leaf.Sysctl.nameBytes),
  before: bodyText(leaf.Sysctl.beforeBytes),
  after: bodyText(leaf.Sysctl.afterBytes),
};
/** Converts the path as sysctl(8) does: swaps `/` and `.`, because names of interfaces contain dots. */
const dotted = (name: string): string => name.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));

export const sysctlFields: readonly Field[] = [
  {
    name: 'sysctl.name',
    type: 'string',
    doc: 'Name of the sysctl that is written, as in sysctl(8): kernel.core_pattern.',
    kinds: ['sysctl'],
    get: (event) => nonEmpty(dotted(sysctl.name(event))),
  },
  {
    name: 'sysctl.value',
    type: 'string',
    doc: 'Value that is written; the kernel can still reject it.',
    kinds: ['sysctl'],
    get: (event) => sysctl.after(event),
  },
  {
    name: 'sysctl.previous',
    type: 'string',
    doc: 'Value before the write.',
    kinds: ['sysctl'],
    get: (event) => sysctl.before(event),
  },
];

const ARGUMENTS = [leaf.SystemChange.first, leaf.SystemChange.second, leaf.SystemChange.third];
const systemText = bodyText(leaf.SystemChange.textBytes);
const systemDetail = bodyText(leaf.SystemChange.detailBytes);

export const systemFields: readonly Field[] = [
  {
    name: 'system.argument',
    type: 'number',
    doc: 'Numeric argument of the system call: type, event and process (perf_event_open); operation and key (keyctl); action (syslog); two magic numbers and the command (reboot); clock and time (clocks).',
    kinds: ['system_change'],
    argument: 'index',
    get: ({ cursor }, index) => {
      const leaf = ARGUMENTS[Number(index)];
      return leaf === undefined ? undefined : Number(u64ToBigInt(cursor.buffer, cursor.leafAt(leaf)));
    },
  },
  {
    name: 'system.text',
    type: 'string',
    doc: 'Text argument of the system call: path of swap, accounting or a quota, new host name, description of a key, file of a kernel.',
    kinds: ['system_change'],
    get: (event) => nonEmpty(systemText(event)),
  },
  {
    name: 'system.detail',
    type: 'string',
    doc: 'Second text argument: type of a key, command line of a kernel.',
    kinds: ['system_change'],
    get: (event) => nonEmpty(systemDetail(event)),
  },
];
