// The process behind `ringfence up`

export type { AppLog } from '@ringfence/telemetry';
export { type App, startApp } from './app.ts';
export { withStateFile } from './deployment/unreadable-state.ts';
export { SensorClient } from './split/sensor-client.ts';
export { AppMonitor, serveMonitor } from './status/app-monitor.ts';

// Its API for commands

export { routesOf } from './api/routes.ts';
export { serveApi } from './api/server.ts';

// For programs that share a deployment without the services

export type { Deployment } from './deployment/deployment.ts';
export { openDeployment } from './deployment/open-deployment.ts';
export { agentStream } from './start-services.ts';
