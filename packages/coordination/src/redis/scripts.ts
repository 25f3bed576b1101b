/**
 * Lua, run by the server in one piece and on its own clock, so that hosts whose clocks differ agree. Every key gets an expiry. Fractions are kept as text:
 * a Lua number in a reply loses them.
 */

const NOW_MS = `local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000);`;

export const SCRIPTS: Record<keyof ScriptCommands, { readonly numberOfKeys: number; readonly lua: string }> = {
  /**
   * KEYS lease, fence. ARGV owner, ttl ms, 1 to take it from another. Reply: the token; nil when somebody else holds it.
   * Tokens come from the clock, so that they go on ascending after everything was flushed.
   */
  rfAcquire: {
    numberOfKeys: 2,
    lua: `${NOW_MS}
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^(%S+) ') ~= ARGV[1] and ARGV[3] ~= '1' then return nil end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = string.format('%.0f', math.max(last + 1, t[1] * 1000000 + t[2]))
redis.call('SET', KEYS[2], token, 'PX', 2592000000)
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. token, 'PX', ARGV[2])
return token`,
  },
  /** KEYS lease. ARGV what it must hold, ttl ms; 0 gives it back. Reply: 1; 0 when it was lost. */
  rfRenew: {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`,
  },
  /** KEYS bucket. ARGV rate per second, burst, amount. Reply: granted 1 or 0, ms until there will be as many. The same as sqlite/buckets.ts. */
  rfTake: {
    numberOfKeys: 1,
    lua: `${NOW_MS}
local rate, burst, amount = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local last = redis.call('HMGET', KEYS[1], 'level', 'at')
local since = tonumber(last[2] or now)
local at = math.max(now, since)
local level = math.min(burst, tonumber(last[1] or burst) + (at - since) * rate / 1000)
local granted = level >= amount
if granted then level = level - amount end
redis.call('HSET', KEYS[1], 'level', string.format('%.17g', level), 'at', string.format('%.0f', at))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - level) * 1000 / rate) + 1000)
if granted then return {1, 0} end
return {0, math.ceil((amount - level) * 1000 / rate)}`,
  },
  /** KEYS counter. ARGV by, window ms. Reply: the new value. */
  rfCount: {
    numberOfKeys: 1,
    lua: `local value = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return value`,
  },
};

/** The commands that ioredis makes of them. */
export interface ScriptCommands {
  rfAcquire(lease: string, fence: string, owner: string, ttlMs: number, takeOver: 0 | 1): Promise<string | null>;
  rfRenew(lease: string, value: string, ttlMs: number): Promise<number>;
  rfTake(bucket: string, rate: number, burst: number, amount: number): Promise<[number, number]>;
  rfCount(counter: string, by: number, windowMs: number): Promise<number>;
}
