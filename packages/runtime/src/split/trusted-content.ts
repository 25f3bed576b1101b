import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { distrustOf, OperatorError } from '@ringfence/base';
import type { Config } from '@ringfence/config';

const ROOT = 0;

/**
 * Throws OperatorError when a user other than root, such as that of a process of `up`, could change rules, policies,
 * playbooks, custom probes or sinks: those decide what is detected, killed, traced and sent.
 */
export function assertTrustedContent({ detector, responder, collector, forwarder }: Config): void {
  const content = {
    'detector.rules': detector.rules,
    'responder.policies': responder.policies,
    'responder.playbooks': responder.playbooks,
    'collector.probes.custom': collector.probes.custom,
    'forwarder.sinks': forwarder.sinks,
  };
  for (const [setting, paths] of Object.entries(content))
    for (const path of paths.filter((each) => each !== 'builtin').flatMap(contentOf)) {
      const distrust = distrustOf(path, ROOT);
      if (distrust !== null)
        throw new OperatorError(`${setting}: ${path} is not trusted: ${distrust.message}; ${distrust.command}`);
    }
}

/** Returns the path and everything below it. The service that reads a missing path reports it. */
function contentOf(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (!stats.isDirectory()) return [path];
  const below = readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name));
  // A link of an editor's lock file leads nowhere.
  return [path, ...below.filter((name) => statSync(name, { throwIfNoEntry: false }) !== undefined)];
}
