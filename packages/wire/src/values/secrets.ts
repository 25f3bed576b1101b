/**
 * Ringfence's own secrets as they stand on command lines: enrolment tokens, and settings with a secret value as
 * `--set KEY=VALUE` or in an environment variable.
 */
const SECRETS =
  /\b(rft1\.)[\w-]{16,}(?:\.[\w-]*)?|\b((?:[a-z]\w*\.)+(?:password|apiKey|token)=|RINGFENCE_\w*(?:PASSWORD|API_KEY|TOKEN)=)\S+/g;

/** Stands for a secret in masked text. */
export const MASK = '***';

/** Replaces Ringfence's own secrets in a text that people read: a command line of an event, an alert's output. */
export function maskSecrets(text: string): string {
  return text.replace(SECRETS, (_, token: string | undefined, name: string | undefined) => `${token ?? name}${MASK}`);
}
