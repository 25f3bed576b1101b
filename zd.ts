import { readRuleFiles } from '@ringfence/detector';
import { Formulas } from '@ringfence/rules';
import { Judge } from './packages/rule-lab/src/events/judge.ts';
import { Player } from './packages/rule-lab/src/witness/player.ts';
import { Search } from './packages/rule-lab/src/witness/search.ts';
import { Witnesses } from './packages/rule-lab/src/witness/witness.ts';
const judge = new Judge(await readRuleFiles(process.argv[2]!.split(',')));
const name = process.argv[3];
if (!name) { const w = new Witnesses(judge); const n: any = {}; const t = performance.now(); for (const r of judge.rules.rules) { const x = w.of(r); n[x.kind]=(n[x.kind]??0)+1; if (x.kind!=='witness') console.log(x.kind, r.name, x.reasons.join(' | ').slice(0,400)); } console.log(n, performance.now()-t); process.exit(); }
const rule = judge.rule(name)!;
console.log(rule.kinds, rule.condition.slice(0,600));
const player = new Player(judge, 40);
const orig = player.values.bind(player);
(player as any).values = (e: any, o: any) => { const r = orig(e, o); console.log('PLAY', JSON.stringify(e).slice(0,500), r === undefined ? 'UNDEF' : '', JSON.stringify([...(r ?? [])].filter(([k])=>new RegExp(process.argv[4] ?? 'zzz').test(k))).slice(0,300)); return r; };
const kind = process.argv[5] ?? rule.kinds[0]!;
const f = new Search(player, { condition: new Formulas<any>().on(kind, rule.expression), kind, joined: [], before: [], operands: [] }).run();
console.log('events' in f ? 'FOUND' : f);
