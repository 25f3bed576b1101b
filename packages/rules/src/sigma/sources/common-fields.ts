import type { Mappings } from './taxonomy.ts';

const windows = { never: 'only Windows programs carry it' };
const sha256Only = { never: 'of executables only the SHA-256 is made' };

/** The process of an event and the machine, in all log sources that come from the kernel. Names are those of Sysmon. */
export const processFields: Mappings = {
  // A program that a link started is found by the link's name, too.
  Image: {
    any: [
      { field: 'process.executable' },
      { field: 'process.exec.filename', when: 'event.action = exec', synonym: true },
    ],
  },
  CommandLine: 'process.command_line',
  CurrentDirectory: 'process.working_directory',
  ProcessId: 'process.pid',
  ProcessGuid: 'process.entity_id',
  ProcessName: 'process.name',
  User: 'user.name',
  // Sysmon for Linux writes the user's number here.
  LogonId: 'user.id',
  TerminalSessionId: 'process.session.id',
  ParentImage: 'process.parent.executable',
  ParentCommandLine: 'process.parent.command_line',
  ParentProcessId: 'process.parent.pid',
  ParentProcessGuid: 'process.parent.entity_id',
  Hashes: 'Hashes',
  sha256: 'process.hash.sha256',
  Computer: 'host.id',
  ComputerName: 'host.id',
  Hostname: 'host.id',
  host: 'host.id',
  UtcTime: '@timestamp',
  timestamp: '@timestamp',
  ParentUser: { never: "the parent's user is not kept" },
  LogonGuid: { never: 'Linux has no such identity of a login' },
  OriginalFileName: windows,
  Company: windows,
  Description: windows,
  FileVersion: windows,
  Product: windows,
  IntegrityLevel: windows,
  md5: sha256Only,
  sha1: sha256Only,
  Imphash: windows,
};
