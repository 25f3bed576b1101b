export {
  BadCommandError,
  ControlListenError,
  ControlLostError,
  ControlStreamError,
  NotAttachedError,
} from './errors.ts';
export { type ConnectControlOptions, type ControlLink, type ControlLinkStats, connectControl } from './link.ts';
export type { ControlPlane } from './port.ts';
export { serveControl } from './server.ts';
export type {
  ControlServer,
  ControlServerStats,
  DisconnectReason,
  ServeControlOptions,
} from './server-options.ts';
