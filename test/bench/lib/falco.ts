/**
 * Figures of Falco for comparison: a commit after 0.44.0 with modern eBPF and default buffers, which saw the load as
 * processes of the host; virtual machine of 2 cores, Linux 6.18; min–max of 3 runs with the programs of programs/.
 * Falco stores nothing. The figures are only a rough guide, because such a machine drifts.
 */
export const FALCO = {
  open: 'Falco: no drop up to 645 k opens/s with 25 rules (1.29 M events/s), up to 168–182 k with 93 (336–364 k events/s); it stores nothing',
  mixed: 'Falco: 99–106 k ops/s mixed at 23–24 % CPU with 25 rules, 66 % with 93 (bare 111–117 k)',
  alert:
    'Falco: p50 7.3–7.8 · p99 15–28 ms idle; p50 0.6–0.7 · p99 1.4–3.7 ms under half of its highest rate (its idle poll sleeps up to 30 ms)',
  overhead: [
    'Falco: open loop 1.84–1.94 M ops/s bare, 0.88–0.92 M with 25 rules (29–31 % dropped), 1.01–1.05 M with 93 (82 % dropped): 0.46–0.57',
    "Falco: caller's CPU per open+close 0.52–0.54 µs bare, 1.08–1.14 µs with 25 rules: 2.1; exec loop 0.90–1.0",
  ],
  idle: 'Falco: 0.2–0.3 % of a core, 57–60 MiB',
  replay: 'Falco: 1.12–1.18 M events/s with 25 rules, 0.35–0.38 M with 93 (decoding included)',
} as const;
