import { processFields } from './common-fields.ts';
import { either, type LogSource, type Mappings } from './taxonomy.ts';

const shown = ['process.executable', 'process.command_line', 'user.name'];
const WRITTEN = 'event.action = open and file.open.write = true and event.outcome = success';
/** Files that are created without being opened. */
const MADE = 'event.action in (rename, link, symlink, mknod) and event.outcome = success';
const NETWORK = either([
  'event.action in (connect, accept, datagram) and network.type in (ipv4, ipv6) and event.outcome = success',
  'network.protocol in (dns, tls) and network.direction = egress',
]);

const processCreation: LogSource = {
  events: 'event.action = exec',
  fields: processFields,
  text: [{ field: 'process.command_line' }],
  shown,
};

/** The name of a file after the event: for a rename or a link, the new name. */
const newName = {
  any: [
    { field: 'file.path', when: 'event.action = open' },
    { field: 'file.path', when: 'event.action in (symlink, mknod)', cased: true },
    { field: 'file.target_path', when: 'event.action in (rename, link)', cased: true },
  ],
} as const;

const created = { TargetFilename: newName, FileName: newName };
const path = { any: [{ field: 'file.path', cased: true }] } as const;

function files(events: string, more: Mappings = { TargetFilename: path, FileName: path }): LogSource {
  return {
    events,
    fields: {
      ...processFields,
      ...more,
      CreationUtcTime: { never: "the file's own times are not read" },
    },
    text: [{ field: 'file.path' }],
    shown: ['file.path', 'file.target_path', ...shown],
  };
}

const isIpv6 = { values: { true: 'network.type = ipv6', false: 'network.type = ipv4' } };

/** Requested names: from a DNS question or a TLS hello. */
const networkFields: Mappings = {
  ...processFields,
  Protocol: 'network.transport',
  Initiated: { values: { true: 'network.direction = egress', false: 'network.direction = ingress' } },
  SourceIp: 'source.ip',
  SourcePort: 'source.port',
  SourceIsIpv6: isIpv6,
  DestinationIp: 'destination.ip',
  DestinationPort: 'destination.port',
  DestinationIsIpv6: isIpv6,
  DestinationHostname: { any: [{ field: 'dns.question.name' }, { field: 'tls.client.server_name' }] },
  SourceHostname: { never: 'names of own addresses are not looked up' },
  SourcePortName: { never: 'ports are numbers here' },
  DestinationPortName: { never: 'ports are numbers here' },
  src_ip: 'source.ip',
  src_port: 'source.port',
  dst_ip: 'destination.ip',
  dst_port: 'destination.port',
};

const networkConnection: LogSource = {
  events: NETWORK,
  fields: networkFields,
  text: [{ field: 'dns.question.name' }, { field: 'tls.client.server_name' }],
  shown: ['destination.ip', 'destination.port', 'dns.question.name', 'tls.client.server_name', ...shown],
};

const dnsQuery: LogSource = {
  events: 'dns.question.name exists',
  fields: {
    ...processFields,
    QueryName: 'dns.question.name',
    QueryResults: 'dns.answers.data',
    QueryStatus: 'dns.response_code',
    query: 'dns.question.name',
    record_type: 'dns.question.type',
    qtype_name: 'dns.question.type',
    answer: 'dns.answers.data',
    answers: 'dns.answers.data',
    response_code: 'dns.response_code',
    src_ip: 'source.ip',
    dst_ip: 'destination.ip',
  },
  text: [{ field: 'dns.question.name' }],
  shown: ['dns.question.name', ...shown],
};

/** Includes the events that the sensor filters by path. */
export const fileEventFiltered: LogSource = files(either([WRITTEN, MADE]), created);

/** By category; `file_event` without the events that the sensor filters by path. */
export const kernelSources: Readonly<Record<string, LogSource>> = {
  process_creation: processCreation,
  process_termination: { ...processCreation, events: 'event.action = exit' },
  process_access: {
    ...processCreation,
    events: 'event.action in (ptrace, process_vm_readv, process_vm_writev, pidfd_getfd, proc_mem, proc_environ)',
    fields: {
      ...processFields,
      SourceImage: 'process.executable',
      SourceProcessId: 'process.pid',
      SourceUser: 'user.name',
      TargetProcessId: 'process.target.pid',
    },
  },
  file_event: files(WRITTEN, created),
  file_delete: files('event.action in (unlink, rmdir) and event.outcome = success'),
  file_rename: files('event.action = rename and event.outcome = success', {
    SourceFilename: path,
    TargetFilename: { any: [{ field: 'file.target_path', cased: true }] },
    FileName: path,
  }),
  file_access: files('event.action = open'),
  network_connection: networkConnection,
  firewall: networkConnection,
  dns_query: dnsQuery,
  dns: dnsQuery,
};
