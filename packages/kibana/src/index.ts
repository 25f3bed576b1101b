export { install, type Plan, type PlannedObject, planInstallation } from './client/install.ts';
export { type Credentials, Kibana, type KibanaOptions } from './client/kibana.ts';
export { contentFor } from './dashboards/index.ts';
export { detectionRule } from './detection-rule.ts';
export { KibanaError, type KibanaErrorCode } from './errors.ts';
export { placedPanels } from './layout.ts';
export type * from './model.ts';
export { dashboardBody } from './output/dashboards-api.ts';
export { importLines, type SavedObject, savedObjectsOf } from './output/saved-objects.ts';
