/**
 * Lua scripts, which the server runs atomically and by its own clock, so that hosts with different clocks agree. Every
 * key gets an expiry. Fractions are stored as text, because a Lua number in a reply is truncated to an integer.
 */

const NOW_MS = `local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000);`;

export const SCRIPTS: Record<keyof ScriptCommands, { readonly numberOfKeys: number; readonly lua: string }> = {
  /**
   * KEYS: lease, fence. ARGV: owner, ttl in ms, 1 to take over. Reply: token, or nil if another owner holds the lease.
   * Tokens derive from the clock, so that they keep ascending after a flush.
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
  /** KEYS: lease. ARGV: expected value, ttl in ms (0 releases the lease). Reply: 1, or 0 if the lease was lost. */
  rfRenew: {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`,
  },
  /**
   * KEYS: bucket. ARGV: rate per second, burst, amount. Reply: 1 if granted, else 0; milliseconds until the bucket has
   * enough tokens. sqlite/buckets.ts uses the same arithmetic.
   */
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
  /** KEYS: counter. ARGV: increment, window in ms. Reply: new value. */
  rfCount: {
    numberOfKeys: 1,
    lua: `local value = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return value`,
  },
};

/** The scripts as commands of ioredis. */
export interface ScriptCommands {
  rfAcquire(lease: string, fence: string, owner: string, ttlMs: number, takeOver: 0 | 1): Promise<string | null>;
  rfRenew(lease: string, value: string, ttlMs: number): Promise<number>;
  rfTake(bucket: string, rate: number, burst: number, amount: number): Promise<[number, number]>;
  rfCount(counter: string, by: number, windowMs: number): Promise<number>;
}
