/**
 * Installs the dashboards in a real Kibana for tests and opens them. An import alone proves nothing: Kibana imports
 * what it cannot draw. It replaces the dashboards of Ringfence in that Kibana.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { contentFor, install, Kibana, placedPanels, planInstallation } from '../src/index.ts';
import { storeAttack } from './attack.ts';
import { chromiumMissing, openBrowser, openDashboard } from './browser.ts';

const { RINGFENCE_TEST_KIBANA: url, RINGFENCE_TEST_ELASTICSEARCH: elasticsearch } = process.env;
/** Folder for pictures of the dashboards; absent: none are made. */
const pictures = process.env['RINGFENCE_TEST_KIBANA_PICTURES'];
const skip =
  url === undefined || elasticsearch === undefined
    ? 'no Kibana: set RINGFENCE_TEST_KIBANA and RINGFENCE_TEST_ELASTICSEARCH to the addresses of both'
    : (chromiumMissing() ?? false);
const content = contentFor('ringfence');
const TWENTY_MINUTES_MS = 20 * 60_000;

suite('a real Kibana', { skip }, () => {
  let browser: Browser | undefined;
  let page: Page | undefined;
  after(() => browser?.close());

  test('takes the dashboards, and then has nothing to do', async () => {
    const at = (Date.now() - TWENTY_MINUTES_MS) * 1000;
    await storeAttack({ url: elasticsearch ?? '', prefix: 'ringfence', at });
    const kibana = new Kibana({ url: url ?? '' });
    await install(kibana, content);
    const { objects } = await planInstallation(kibana, content);
    assert.deepEqual(
      objects.filter(({ change }) => change !== 'none'),
      [],
    );
  });

  for (const dashboard of content.dashboards)
    test(`draws every panel of "${dashboard.title}"`, async () => {
      browser ??= await openBrowser();
      page ??= await browser.newPage({ viewport: { width: 1400, height: 1300 } });
      const titles = placedPanels(dashboard).map(({ panel }) => panel.title);
      const opened = { id: dashboard.id, from: 'now-1h', count: titles.length };
      const panels = await openDashboard(page, url ?? '', opened);
      assert.equal(panels.length, titles.length);
      for (const title of titles)
        assert.ok(
          panels.some(({ text }) => text.includes(title)),
          title,
        );
      assert.deepEqual(
        panels.filter(({ hasFailed }) => hasFailed),
        [],
      );
      const path = `kibana-${dashboard.id.replace('ringfence-dashboard-', '')}.png`;
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, path) });
    });
});
