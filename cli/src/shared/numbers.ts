/** Formats a whole number as "1,234,567". Intl.NumberFormat does too, but its first use allocates 8 MB for good. */
export function grouped(count: number): string {
  return count.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Formats a count and its noun: "1 rule", "2,000 rules". */
export function counted(count: number, noun: string, plural: string = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 ? noun : plural}`;
}

/** Formats a size: "12.3 MiB". */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Formats µs since the epoch as the local time of day, with milliseconds: "14:02:11.042". */
export function timeOfDay(micros: number): string {
  const date = new Date(micros / 1000);
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
