import { leaf } from '@ringfence/wire';
import { bodyBoolean, bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';

const authentication = ['authentication'];
const shell = ['shell_line'];
const tls = ['tls_data'];
const service = bodyText(leaf.Authentication.serviceBytes);
const user = bodyText(leaf.Authentication.userBytes);
const remoteHost = bodyText(leaf.Authentication.remoteHostBytes);
const tty = bodyText(leaf.Authentication.ttyBytes);
const payload = bodyText(leaf.TlsData.payloadBytes);

/** Fields of probes in programs and libraries. The values come from memory that the process can forge. */
export const probeFields: readonly Field[] = [
  {
    name: 'ringfence.pam.service',
    type: 'string',
    doc: 'PAM service that authenticates the user: sshd, login, su, sudo.',
    kinds: authentication,
    get: (event) => nonEmpty(service(event)),
  },
  {
    name: 'ringfence.pam.user',
    type: 'string',
    doc: 'User name that the client gave.',
    kinds: authentication,
    get: (event) => nonEmpty(user(event)),
  },
  {
    name: 'ringfence.pam.remote_host',
    type: 'string',
    doc: 'Remote host as the service reports it: a name or an address.',
    kinds: authentication,
    get: (event) => nonEmpty(remoteHost(event)),
  },
  {
    name: 'ringfence.pam.tty',
    type: 'string',
    doc: 'Terminal as the service reports it.',
    kinds: authentication,
    get: (event) => nonEmpty(tty(event)),
  },
  {
    name: 'ringfence.shell.line',
    type: 'string',
    doc: 'Line typed into bash or zsh, up to 4,095 bytes; commands built into the shell appear in no other event.',
    kinds: shell,
    get: bodyText(leaf.ShellLine.lineBytes),
  },
  {
    name: 'ringfence.tls.egress',
    type: 'bool',
    doc: 'true: the program sent it; false: it was received.',
    kinds: tls,
    get: bodyBoolean(leaf.TlsData.egress),
  },
  {
    name: 'ringfence.tls.payload',
    type: 'string',
    doc: 'First 1,024 bytes of one read or write of libssl, in the clear.',
    kinds: tls,
    get: payload,
  },
  {
    name: 'ringfence.tls.bytes',
    type: 'number',
    doc: 'Bytes of that read or write.',
    kinds: tls,
    get: bodyLong(leaf.TlsData.payloadLength),
  },
];
