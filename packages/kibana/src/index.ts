export { contentFor } from './dashboards/index.ts';
export { placedPanels } from './layout.ts';
export type * from './model.ts';
export { dashboardBody } from './output/dashboards-api.ts';
export { importLines, type SavedObject, savedObjectsOf } from './output/saved-objects.ts';
