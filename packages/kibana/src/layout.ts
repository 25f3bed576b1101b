import type { Dashboard, Panel } from './model.ts';

export interface PlacedPanel {
  /** Unique within the dashboard, and the same at each installation */
  readonly id: string;
  readonly panel: Panel;
  readonly grid: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

/** Places rows below each other on the grid of 48 columns. */
export function placedPanels({ rows }: Pick<Dashboard, 'rows'>): PlacedPanel[] {
  const placed: PlacedPanel[] = [];
  let y = 0;
  for (const { height, panels } of rows) {
    let x = 0;
    for (const panel of panels) {
      placed.push({ id: `panel-${placed.length + 1}`, panel, grid: { x, y, w: panel.width, h: height } });
      x += panel.width;
    }
    y += height;
  }
  return placed;
}
