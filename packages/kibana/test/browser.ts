/** Opens dashboards of a real Kibana in Chromium. */
import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';

const CHROMIUM = process.env['RINGFENCE_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
const PANEL = '[data-test-subj="embeddablePanel"]';
const RENDERED = '[data-render-complete="true"]';
const FAILED = '[data-test-subj="embeddableError"], [data-test-subj="embeddable-lens-failure"]';
const RENDER_TIMEOUT_MS = 180_000;

/** Returns the reason why no dashboard can be opened; undefined if one can. */
export const chromiumMissing = (): string | undefined =>
  existsSync(CHROMIUM) ? undefined : `no Chromium at ${CHROMIUM}: set RINGFENCE_TEST_CHROMIUM`;

export async function openBrowser(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  // Chromium has no sandbox for root, as which tests run.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

export interface DrawnPanel {
  readonly text: string;
  readonly hasFailed: boolean;
}

/** Opens a dashboard from a time in date math until now. Returns its `count` panels, each drawn or failed. */
export async function openDashboard(
  page: Page,
  url: string,
  { id, from, count }: { readonly id: string; readonly from: string; readonly count: number },
): Promise<DrawnPanel[]> {
  const state = `_g=(filters:!(),refreshInterval:(pause:!t,value:60000),time:(from:'${from}',to:now))`;
  // A new address after the # alone would not load the page again.
  await page.goto('about:blank');
  await page.goto(`${url}/app/dashboards#/view/${id}?${state}`);
  const panels = page.locator(PANEL);
  await panels.nth(count - 1).waitFor({ timeout: RENDER_TIMEOUT_MS });
  const drawn: DrawnPanel[] = [];
  for (const panel of await panels.all()) {
    await panel.locator(`${RENDERED}, ${FAILED}`).first().waitFor({ timeout: RENDER_TIMEOUT_MS, state: 'attached' });
    drawn.push({ text: (await panel.textContent()) ?? '', hasFailed: (await panel.locator(FAILED).count()) > 0 });
  }
  return drawn;
}
