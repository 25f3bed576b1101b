// Generated from packages/schema/avro by tools/generate-writers.ts: edit the schemas, not this file.

import type { AvroWriter } from '../writer.ts';
import type { Credentials, Namespaces, Process } from './types.generated.ts';

/** Appends a Credentials as Avro encodes it. */
function writeCredentials(out: AvroWriter, value: Credentials): void {
  out.ensure(104);
  out.long(value.uid);
  out.long(value.gid);
  out.long(value.euid);
  out.long(value.egid);
  out.long(value.suid);
  out.long(value.sgid);
  out.long(value.fsuid);
  out.long(value.fsgid);
  out.fixed(value.capEffective, 0, 8);
  out.fixed(value.capPermitted, 0, 8);
  out.fixed(value.capInheritable, 0, 8);
}

/** Appends a Namespaces as Avro encodes it. */
function writeNamespaces(out: AvroWriter, value: Namespaces): void {
  out.ensure(75);
  out.long(value.mnt);
  out.long(value.pid);
  out.long(value.net);
  out.long(value.user);
  out.long(value.uts);
  out.long(value.ipc);
  out.long(value.cgroup);
  out.long(value.pidInNs);
}

/** Appends a Process as Avro encodes it. */
export function writeProcess(out: AvroWriter, value: Process): void {
  out.ensure(57);
  out.fixed(value.entityId, 0, 16);
  out.long(value.pid);
  out.fixed(value.start, 0, 8);
  out.long(value.execId);
  out.long(value.parent);
  out.long(value.container);
  out.fixed(value.cgroup, 0, 8);
  out.bytes(value.executable, 0, value.executable.length);
  out.ensure(23);
  out.fixed(value.executableInode, 0, 8);
  out.long(value.executableDevice);
  out.long(value.execFlags);
  out.bytes(value.args, 0, value.args.length);
  out.ensure(5);
  out.long(value.argsLength);
  out.bytes(value.cwd, 0, value.cwd.length);
  writeCredentials(out, value.credentials);
  out.string(value.user);
  writeNamespaces(out, value.namespaces);
  out.ensure(35);
  out.long(value.loginuid);
  out.long(value.sessionId);
  out.long(value.tty);
  out.long(value.stdioSockets);
}
