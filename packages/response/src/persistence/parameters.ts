import { z } from 'zod';
import { accountName } from '../accounts/account-files.ts';
import { absolutePath, sha256Text } from '../parameter-types.ts';

const LINE_MAX = 65_536;
const line = z
  .string()
  .min(1)
  .max(LINE_MAX)
  .regex(/^[^\n\0]*$/, 'one line');
const fingerprint = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/);
const path = absolutePath;

/** One change of persistence, as an event saw it being made. */
export type RevertOrder =
  | { readonly what: 'unit' | 'timer'; readonly path: string; readonly sha256?: string | undefined }
  | { readonly what: 'cron' | 'sudoers'; readonly path: string; readonly line: string }
  | { readonly what: 'cron' | 'sudoers'; readonly path: string; readonly sha256?: string | undefined }
  | { readonly what: 'authorized-key'; readonly path: string; readonly line: string }
  | { readonly what: 'authorized-key'; readonly path: string; readonly fingerprint: string }
  | { readonly what: 'profile-line'; readonly path: string; readonly line: string }
  | { readonly what: 'preload'; readonly line: string }
  | { readonly what: 'user'; readonly name: string; readonly how: 'lock' | 'remove' };

export const revertOrder: z.ZodType<RevertOrder> = z.union([
  z.strictObject({ what: z.enum(['unit', 'timer']), path, sha256: sha256Text.optional() }),
  z.strictObject({ what: z.enum(['cron', 'sudoers']), path, line }),
  z.strictObject({ what: z.enum(['cron', 'sudoers']), path, sha256: sha256Text.optional() }),
  z.strictObject({ what: z.literal('authorized-key'), path, line }),
  z.strictObject({ what: z.literal('authorized-key'), path, fingerprint }),
  z.strictObject({ what: z.literal('profile-line'), path, line }),
  z.strictObject({ what: z.literal('preload'), line }),
  z.strictObject({ what: z.literal('user'), name: accountName, how: z.enum(['lock', 'remove']).default('lock') }),
]);

export const PRELOAD = '/etc/ld.so.preload';
const UNITS = '(?:/(?:etc|run|usr/lib|usr/local/lib|lib)/systemd/(?:system|user)|/.+/\\.config/systemd/user)';
const SHELL = 'bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zshenv|zprofile|zlogin|xprofile|xsessionrc';

/**
 * Where each kind of persistence stands on a host, with the links of the path resolved: an order must not become an
 * edit of any other file.
 */
const PLACES: Readonly<Record<RevertOrder['what'], RegExp>> = {
  unit: new RegExp(`^${UNITS}/(?:[^/]+\\.d/)?[^/]+\\.(?:service|socket|path|mount|automount|target|slice|swap|conf)$`),
  timer: new RegExp(`^${UNITS}/[^/]+\\.timer$`),
  cron: /^\/(?:etc\/(?:crontab|anacrontab|cron\.[a-z]+\/[^/]+)|var\/spool\/cron\/(?:crontabs\/)?[^/]+)$/,
  sudoers: /^\/etc\/sudoers(?:\.d\/[^/]+)?$/,
  'authorized-key': /^\/(?:.+\/\.ssh\/authorized_keys2?|etc\/ssh\/authorized_keys\/[^/]+)$/,
  'profile-line': new RegExp(
    `^/(?:etc/(?:profile|bash\\.bashrc|bashrc|environment|profile\\.d/[^/]+|zsh/[^/]+)|.+/(?:\\.(?:${SHELL})|config\\.fish))$`,
  ),
  preload: /^\/etc\/ld\.so\.preload$/,
  user: /^\/etc\/passwd$/,
};

/** Files that the system cannot be without: of these, single lines alone are taken. */
const WHOLE_NEVER = /^\/etc\/(?:crontab|anacrontab|sudoers)$/;

export const isPlaceOf = (what: RevertOrder['what'], hostPath: string): boolean => PLACES[what].test(hostPath);
export const mayTakeWhole = (hostPath: string): boolean => !WHOLE_NEVER.test(hostPath);
