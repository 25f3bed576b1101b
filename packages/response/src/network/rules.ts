import { type BarrierRule, HOST, networkOf, networkText } from '@ringfence/barrier';
import { z } from 'zod';

const RULES_MAX = 1024;

/** A rule in a file: JSON has no 64-bit numbers. */
export interface SavedRule {
  readonly what: BarrierRule['what'];
  /** id of a cgroup; `0`: the host */
  readonly scope: string;
  /** network or domain; empty: neither */
  readonly about: string;
  readonly port: number;
}

/** What takes a block or an isolation back. */
export interface SavedRules {
  /** Id of the command, by which the kernel's rules are found */
  readonly command: string;
  /** A cgroup's id means nothing after a reboot. */
  readonly boot: string;
  readonly rules: readonly SavedRule[];
}

export const savedRules: z.ZodType<SavedRules> = z.strictObject({
  command: z.string().min(1).max(128),
  boot: z.string().max(64),
  rules: z
    .array(
      z.strictObject({
        what: z.enum(['block', 'allow', 'block-domain', 'resolve', 'isolate']),
        scope: z.string().regex(/^\d{1,20}$/),
        about: z.string().max(256),
        port: z.int().min(0).max(65_535),
      }),
    )
    .max(RULES_MAX),
});

export function savedRule(rule: BarrierRule): SavedRule {
  const { what, scope } = rule;
  const about = 'network' in rule ? networkText(rule.network) : 'domain' in rule ? rule.domain : '';
  return { what, scope: String(scope), about, port: 'port' in rule ? rule.port : 0 };
}

/** Returns the rules that hold in this boot. Throws Error if a rule has no network. */
export function rulesOf({ boot, rules }: SavedRules, currentBoot: string): BarrierRule[] {
  return rules.map(ruleOf).filter(({ scope }) => scope === HOST || boot === currentBoot);
}

function ruleOf({ what, scope: text, about, port }: SavedRule): BarrierRule {
  const scope = BigInt(text);
  if (what === 'isolate') return { what, scope };
  if (what === 'block-domain' || what === 'resolve') return { what, scope, domain: about };
  const network = networkOf(about);
  if (network === null) throw new Error(`${about} is no network`);
  return { what, scope, network, port };
}

/** A rule as an operator reads it before it is in force. */
export function ruleText(rule: BarrierRule): string {
  switch (rule.what) {
    case 'block':
    case 'allow':
      return `${rule.what} ${networkText(rule.network)}${rule.port === 0 ? '' : ` port ${rule.port}`}`;
    case 'block-domain':
      return `refuse to resolve ${rule.domain} and what is below it`;
    case 'resolve':
      return `resolve ${rule.domain}`;
    case 'isolate':
      return 'drop all other packets';
  }
}
