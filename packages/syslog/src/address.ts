export interface SyslogAddress {
  readonly protocol: 'udp' | 'tcp';
  readonly host: string;
  readonly port: number;
}

/** Parses `udp://host:port` or `tcp://host:port`. Returns null for anything else. */
export function parseSyslogAddress(text: string): SyslogAddress | null {
  const [, protocol, ipv6, name, port] =
    /^(udp|tcp):\/\/(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/.exec(text) ?? [];
  const number = Number(port);
  if (!(number >= 1 && number <= 65_535)) return null;
  return { protocol: protocol === 'tcp' ? 'tcp' : 'udp', host: ipv6 ?? name ?? '', port: number };
}
