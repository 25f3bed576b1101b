import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type Config, loadConfig } from '@ringfence/config';
import { parse } from 'yaml';

const root = dirname(dirname(import.meta.dirname));
const unitPath = join(root, 'deploy/systemd/ringfence-service@.service');
const unit = readFileSync(unitPath, 'utf8');
const compose = parse(readFileSync(join(root, 'deploy/compose/compose.yaml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<
    Record<string, { readonly image: string; readonly environment?: Record<string, string> }>
  >;
  readonly volumes: Readonly<Record<string, unknown>>;
};

const ringfenceServices = Object.entries(compose.services).filter(([, { image }]) => image === 'ringfence');

function configOf({ environment = {} }: { readonly environment?: Record<string, string> }): Config {
  return loadConfig({ file: '/dev/null', env: environment, flags: [] });
}

describe('the services in containers', () => {
  it('are one of each kind and accept their settings', () => {
    const configs = ringfenceServices.map(([name, service]) => [name, configOf(service)] as const);
    assert.deepEqual(configs.map(([name]) => name).sort(), [
      'auditor',
      'detector',
      'enricher',
      'registrar',
      'responder',
    ]);
    for (const [name, { services, bus, identity }] of configs) {
      assert.deepEqual(services, [name]);
      assert.deepEqual([bus.driver, bus.kafka.brokers, bus.kafka.tls.enabled], ['kafka', ['kafka:9093'], true]);
      assert.equal(identity.registrar, 'https://registrar:7443');
    }
  });

  it('refer to each other by existing names', () => {
    const { responder, auditor, registrar } = Object.fromEntries(
      ringfenceServices.map(([name, service]) => [name, configOf(service)]),
    );
    const hosts = [responder?.redis.url, auditor?.auditor.elasticsearch.nodes[0]].map(
      (url) => new URL(url ?? '').hostname,
    );
    for (const host of [...hosts, ...(registrar?.registrar.names ?? [])]) assert.ok(host in compose.services, host);
    for (const [name] of ringfenceServices) assert.ok(name in compose.volumes, name);
  });
});

describe('the systemd unit of a service', () => {
  it('passes the security analysis of systemd', (t) => {
    const args = ['security', '--offline=true', '--threshold=20', '--no-pager', unitPath];
    const analysis = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    if (analysis.error !== undefined) return t.skip('systemd-analyze is not installed');
    assert.equal(analysis.status, 0, analysis.stdout + analysis.stderr);
  });

  it('has only directives that systemd knows', (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'rf-unit-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const installed = join(dir, 'ringfence-service@enricher.service');
    writeFileSync(installed, unit.replace('=/usr/bin/ringfence', `=${join(root, 'deploy/bin/ringfence')}`));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', installed], { encoding: 'utf8' });
    if (verified.error !== undefined) return t.skip('systemd-analyze is not installed');
    assert.deepEqual([verified.status, verified.stdout, verified.stderr], [0, '', '']);
  });

  it('separates the directories of services, and has a stop timeout above the shutdown deadline', () => {
    const setting = /^Environment=(.*)$/m.exec(unit)?.[1] ?? '';
    const env = Object.fromEntries(
      setting
        .replaceAll('%i', 'enricher')
        .split(' ')
        .map((pair) => pair.split('=')),
    );
    const config = loadConfig({ file: '/dev/null', env, flags: [] });
    assert.deepEqual([config.stateDir, config.runDir], ['/var/lib/ringfence-enricher', '/run/ringfence-enricher']);
    assert.ok(Number(/^TimeoutStopSec=(\d+)s$/m.exec(unit)?.[1]) * 1000 > config.shutdownDeadlineMs);
  });
});
