import { z } from 'zod';
import { FACILITIES, syslogMessage } from '../../encode/syslog.ts';
import { tlsShape } from '../../settings/common.ts';
import { defineKind, type SinkKind } from '../../sink.ts';
import { RelpTransport } from './relp.ts';
import { StreamTransport } from './stream.ts';
import type { Endpoint, SyslogTransport } from './transport.ts';
import { UdpTransport } from './udp.ts';

const SCHEMES = ['tls', 'tcp', 'udp', 'relp', 'relps'] as const;
const ADDRESS = /^(tls|tcp|udp|relp|relps):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):([1-9]\d{0,4})$/;

const shape = {
  /** `relps` and `relp` confirm each message, `tls` and `tcp` none; `udp` loses messages. See docs/SINKS.md. */
  url: z.string().regex(ADDRESS, 'expected tls://, tcp://, udp://, relp:// or relps://, then host:port'),
  /** Text of the message: `json` (ECS), `cef` or `leef` (2.0). */
  format: z.enum(['json', 'cef', 'leef']).default('json'),
  /** Facility in the priority of the message. */
  facility: z.enum(FACILITIES).default('local0'),
  ...tlsShape,
};

/** Syslog of RFC 5424 with JSON, CEF or LEEF in the message. */
export const syslog: SinkKind = defineKind({
  type: 'syslog',
  title: 'Syslog (RFC 5424) over TLS, TCP, RELP or UDP, as JSON, CEF or LEEF 2.0',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: 'rsyslog',
  open(settings, { name, common }) {
    const [, scheme = '', host = '', port = ''] = ADDRESS.exec(settings.url) ?? [];
    const transport = connect(scheme as (typeof SCHEMES)[number], {
      sink: name,
      url: settings.url,
      host: host.replace(/^\[|\]$/g, ''),
      port: Number(port),
      tls: settings,
      timeoutMs: common.timeout,
    });
    const facility = FACILITIES.indexOf(settings.facility);
    return {
      async send(items, { signal }) {
        await transport.send(
          items.map((item) => syslogMessage(item, facility, settings.format)),
          signal,
        );
        return [];
      },
      close: () => transport.close(),
    };
  },
});

function connect(scheme: (typeof SCHEMES)[number], endpoint: Endpoint): SyslogTransport {
  switch (scheme) {
    case 'udp':
      return new UdpTransport(endpoint);
    case 'relp':
    case 'relps':
      return new RelpTransport(endpoint, scheme === 'relps');
    default:
      return new StreamTransport(endpoint, scheme === 'tls');
  }
}
