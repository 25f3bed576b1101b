import { auditd } from './auditd.ts';
import { processFields } from './common-fields.ts';
import { fileEventFiltered, kernelSources } from './kernel-sources.ts';
import { logServices } from './log-sources.ts';
import type { Mapping, Mappings, Variant } from './taxonomy.ts';

/** A field of a log source of Sigma, for documents. Condition and names are in the native language. */
export interface SigmaField {
  readonly source: string;
  readonly field: string;
  /** Meaning by the documentation of Sigma, Sysmon or auditd, in our words. */
  readonly there: string;
  /** Empty: no event has it. */
  readonly here: string;
  readonly differs: string;
}

type Rows = Readonly<Record<string, string | readonly [there: string, differs: string]>>;

const SYSMON: Rows = {
  Image: 'Path of the executable.',
  CommandLine: 'Command line.',
  CurrentDirectory: ['Current directory.', 'as at the last exec'],
  ProcessId: 'Process id.',
  ProcessGuid: 'Identity of the process, unique over time.',
  ProcessName: 'Name of the process.',
  User: 'Name of the user.',
  LogonId: 'Number of the user, as Sysmon for Linux writes it.',
  TerminalSessionId: 'Number of the login session.',
  ParentImage: 'Path of the executable of the parent.',
  ParentCommandLine: 'Command line of the parent.',
  ParentProcessId: 'Process id of the parent.',
  ParentProcessGuid: 'Identity of the parent.',
  Hashes: ['Hashes of the executable, NAME=HEX.', 'SHA-256 alone; the first exec of a file has none yet'],
  sha256: ['SHA-256 of the executable.', 'the first exec of a file has none yet'],
  Computer: ['Name of the machine.', 'id of the host'],
  ComputerName: ['Name of the machine.', 'id of the host'],
  Hostname: ['Name of the machine.', 'id of the host'],
  host: ['Name of the machine.', 'id of the host'],
  UtcTime: 'Time of the event.',
  timestamp: 'Time of the event.',
};

const BY_CATEGORY: Readonly<Record<string, Rows>> = {
  file_event: {
    TargetFilename: 'Path of the file that was created or written.',
    FileName: 'Path of the file that was created or written.',
  },
  file_delete: { TargetFilename: 'Path of the removed file.', FileName: 'Path of the removed file.' },
  file_rename: {
    SourceFilename: 'Path before the rename.',
    TargetFilename: 'Path after the rename.',
    FileName: 'Path before the rename.',
  },
  file_access: { TargetFilename: 'Path of the opened file.', FileName: 'Path of the opened file.' },
  process_access: {
    SourceImage: 'Path of the executable that reads or writes the other process.',
    SourceProcessId: 'Its process id.',
    SourceUser: 'Name of its user.',
    TargetProcessId: 'Process id of the other process.',
  },
  network_connection: {
    Protocol: 'tcp or udp.',
    Initiated: 'true: the process connected; false: it accepted.',
    SourceIp: 'Address that connected.',
    SourcePort: 'Port that connected.',
    SourceIsIpv6: 'The connection is over IPv6.',
    DestinationIp: 'Address that was connected to.',
    DestinationPort: 'Port that was connected to.',
    DestinationIsIpv6: 'The connection is over IPv6.',
    DestinationHostname: ['Name of that address.', 'the name that was asked for by DNS, or by TLS'],
    src_ip: 'Address that connected.',
    src_port: 'Port that connected.',
    dst_ip: 'Address that was connected to.',
    dst_port: 'Port that was connected to.',
  },
  dns_query: {
    QueryName: 'Name that was asked for.',
    QueryResults: 'Answers.',
    QueryStatus: ['Status of the answer, 0 for success.', 'its name: NOERROR, NXDOMAIN'],
    query: 'Name that was asked for.',
    record_type: 'Type of the question.',
    qtype_name: 'Type of the question.',
    answer: 'Answers.',
    answers: 'Answers.',
    response_code: 'Name of the status.',
    src_ip: 'Address that asked.',
    dst_ip: 'Address of the server.',
  },
};

const AUDITD: Rows = {
  type: 'Type of the record.',
  a0: 'Argument of the exec by its number; of a system call, its argument in hexadecimal.',
  exe: 'Path of the executable.',
  comm: 'Name of the process (comm).',
  proctitle: 'Command line.',
  cwd: ['Current directory.', 'as at the last exec'],
  name: 'Path in a PATH record.',
  path: 'Path in a PATH record.',
  nametype: 'What the call did to the path: CREATE, DELETE, NORMAL.',
  SYSCALL: 'Name of the system call.',
  syscall: 'Number or name of the system call.',
  success: 'yes or no.',
  res: 'success or failed.',
  exit: 'Return value, as a number or the name of the error.',
  data: ['What was typed at a terminal.', 'lines of bash and zsh'],
  unit: ['Name of the service.', 'argument of the command that starts or stops it'],
  pid: 'Process id.',
  ppid: 'Process id of the parent.',
  uid: ['Real user id, or its name.', 'the name is that of the effective user'],
  euid: 'Effective user id, or its name.',
  auid: 'Id of the user who logged in.',
  gid: 'Real group id.',
  UID: ['Name of the real user.', 'of the effective user'],
  EUID: 'Name of the effective user.',
  ses: 'Number of the login session.',
  acct: 'Account that the record is about.',
  addr: 'Address of the other machine.',
  laddr: 'Address of the other machine.',
  daddr: 'Address that was connected to.',
  saddr: ['Socket address, in hexadecimal or decoded.', 'decoded'],
  mode: ['Mode of the file in octal, with its type.', 'permission bits as a number; of changes, those requested'],
  ouid: ['Owner of the file.', 'the owner that chown requests'],
  ogid: ['Group of the file.', 'the group that chown requests'],
};

const LINES: Rows = {
  message: 'Text of the line.',
  User: 'User who acted.',
  user: 'User who acted.',
  user_name: 'User who acted.',
  USER: 'User that sudo runs the command as.',
  COMMAND: 'Command that sudo runs.',
  PWD: 'Current directory of sudo.',
  TTY: 'Terminal of sudo.',
  client_ip: 'Address of the other machine.',
  src_ip: 'Address of the other machine.',
  SourceIp: 'Address of the other machine.',
  program: 'Program that wrote the line.',
  process: 'Program that wrote the line.',
  deviceProcessName: 'Program that wrote the line.',
  pid: 'Its process id.',
  host: ['Name of the machine.', 'id of the host'],
  hostname: ['Name of the machine.', 'id of the host'],
  ComputerName: ['Name of the machine.', 'id of the host'],
  timestamp: 'Time of the line.',
};

const variant = ({ field, when }: Variant): string => (when === undefined ? field : `${field} (${when})`);

function hereOf(mapping: Mapping): string {
  if (typeof mapping === 'string') return mapping;
  if ('any' in mapping) return mapping.any.map(variant).join('; ');
  if ('values' in mapping) {
    const [[value = '', condition = ''] = [], ...more] = Object.entries(mapping.values);
    return `${value}: ${condition}${more.length > 0 ? '; …' : ''}`;
  }
  return '';
}

function rowsOf(source: string, fields: Mappings, rows: Rows): SigmaField[] {
  return Object.entries(fields)
    .filter(([field]) => !/^a[1-9]\d*$/.test(field))
    .map(([field, mapping]) => {
      const row = Object.hasOwn(rows, field) ? (rows[field] ?? '') : '';
      const [there, differs] = typeof row === 'string' ? [row, ''] : row;
      const never = typeof mapping !== 'string' && 'never' in mapping ? mapping.never : '';
      return { source, field, there: never === '' ? there : '', here: hereOf(mapping), differs: never || differs };
    });
}

const own = (fields: Mappings): Mappings =>
  Object.fromEntries(Object.entries(fields).filter(([field]) => !Object.hasOwn(processFields, field)));

/** Returns every field of every log source, those of the process first: all categories and auditd have them. */
export function sigmaFields(): readonly SigmaField[] {
  const use = { syscalls: true, filtered: true, reads: true };
  const categories = Object.entries(BY_CATEGORY).flatMap(([name, rows]) => {
    const source = name === 'file_event' ? fileEventFiltered : kernelSources[name];
    return rowsOf(name, own(source?.fields ?? {}), rows);
  });
  return [
    ...rowsOf('categories, auditd', processFields, SYSMON),
    ...categories,
    ...rowsOf('auditd', own(auditd(use).fields), AUDITD),
    ...rowsOf('services', logServices['sshd']?.fields ?? {}, LINES),
  ];
}
