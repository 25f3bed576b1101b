import { asCount, asObject, asText, type Json, microsOf } from '../line.ts';
import type { Parsed } from './parsed.ts';

const MAX_TEXT = 4096;
const MAX_TIME = 40;
const MAX_PID = 2 ** 22;
const LEVELS: ReadonlySet<string> = new Set(
  'emergency alert critical error warning notice informational debug'.split(' '),
);
/** Events of Tetragon that a tracing policy asks for; the others report every exec and exit. */
const POLICY_EVENTS = ['process_kprobe', 'process_tracepoint', 'process_lsm', 'process_uprobe', 'process_usdt'];

const ALERT = { category: 'intrusion_detection', action: 'foreign-alert' } as const;

/** Parses an alert of Falco, or an event of a policy of Tetragon, in JSON; null: it is neither. */
export function parseAlert(text: string): Parsed | null {
  if (!text.startsWith('{')) return null;
  const alert = parse(text);
  return typeof alert['rule'] === 'string' ? ofFalco(alert) : ofTetragon(alert);
}

function parse(text: string): Json {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return {};
  }
}

function ofFalco(alert: Json): Parsed {
  const fields = asObject(alert['output_fields']);
  const level = asText(alert['priority'], MAX_TIME).toLowerCase();
  return {
    ...ALERT,
    provider: 'falco',
    rule: asText(alert['rule'], MAX_TEXT),
    level: LEVELS.has(level) ? level : '',
    user: asText(fields['user.name'], MAX_TEXT),
    command: asText(fields['proc.cmdline'], MAX_TEXT),
    workingDirectory: asText(fields['proc.cwd'], MAX_TEXT),
    process: {
      pid: asCount(fields['proc.pid'], MAX_PID),
      startedAt: Number.isFinite(fields['proc.pid.ts']) ? Math.floor((fields['proc.pid.ts'] as number) / 1000) : null,
    },
  };
}

function ofTetragon(event: Json): Parsed | null {
  const body = asObject(POLICY_EVENTS.map((name) => event[name]).find((value) => value !== undefined));
  const rule = asText(body['policy_name'], MAX_TEXT);
  if (rule === '') return null;
  const process = asObject(body['process']);
  const words = [process['binary'], process['arguments']].map((word) => asText(word, MAX_TEXT));
  return {
    ...ALERT,
    provider: 'tetragon',
    rule,
    command: words.filter(Boolean).join(' '),
    workingDirectory: asText(process['cwd'], MAX_TEXT),
    process: {
      pid: asCount(process['pid'], MAX_PID),
      startedAt: microsOf(asText(process['start_time'], MAX_TIME)),
    },
  };
}
