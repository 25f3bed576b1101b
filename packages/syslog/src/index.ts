export { parseSyslogAddress, type SyslogAddress } from './address.ts';
export { type SyslogKind, type SyslogReport, syslogMessage } from './message.ts';
export { type SyslogDeps, SyslogSender, type SyslogStats } from './sender.ts';
