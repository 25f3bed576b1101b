import { compileDetectorRules, readRuleFiles } from '@ringfence/detector';
import { Excuses } from './packages/rules/src/lint/excuses.ts';
const set = compileDetectorRules(await readRuleFiles([process.argv[2]!]), 'hunt');
const x = new Excuses<any>(); let n=0; let rules=0; const by = new Map<string, number>();
for (const r of set.rules) { const f = x.of(r); if (f.length) rules++; for (const e of f) { n++; by.set(e.field,(by.get(e.field)??0)+1); console.log(r.file.split('/').pop()+':'+r.line, r.name, '::', e.text.slice(0,160)); } }
console.log(rules, n, [...by]);
let joins=0; for (const r of set.rules) if (r.sequence) { const ev=r.sequence.steps.filter((s:any)=>s.kind==='event'); if (ev.length>1 && ev.every((s:any)=>s.by.every((o:any)=>o.key==='host.id')) && !ev.some((s:any)=>s.compares.length)) { joins++; console.log('JOIN', r.name); } }
console.log('joins', joins);
