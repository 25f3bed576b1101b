import { compileRules, Formulas, writeTest } from '@ringfence/rules';
import { readRuleFiles, compileDetectorRules } from '@ringfence/detector';
const set = compileDetectorRules(await readRuleFiles([process.argv[2]!]), 'hunt');
const byField = new Map<string, Map<string, string[]>>();
const strip = (e: any): any => e.kind==='named' ? strip(e.item) : e.kind==='not' ? {kind:'not', item: strip(e.item)} : e.items ? {...e, items: e.items.map(strip)} : e;
// nnf
const nnf = (e: any, pos: boolean): any => e.kind==='not' ? nnf(e.item,!pos) : e.kind==='named'? nnf(e.item,pos) : e.items ? {kind: (e.kind==='and')===pos?'and':'or', items: e.items.map((i:any)=>nnf(i,pos))} : e.kind==='constant'? {kind:'constant', value: e.value===pos} : {kind:'lit', test:e, holds:pos};
const CHOSEN=/^(process\.(command_line|args|working_directory|env_vars|exec\.filename|script|named_script|name|parent\.(command_line|name)|ancestors\.name)|dns\.question\.name|tls\.client\.server_name|network\.unix\.path|memory\.path|attempt\.(path|args|name)|message|falco\.proc\..*)$/;
let n=0; const rulesWith = new Map<string, Set<string>>();
const isExcuse=(l:any)=> l.kind==='lit' && (l.holds===l.test.negated) && l.test.operator!=='exists';
for (const r of set.rules) {
  const exprs = r.sequence ? r.sequence.steps.filter((s:any)=>s.kind==='event').map((s:any)=>s.expression) : [r.expression];
  const visit=(f:any):void=>{ 
    if (f.kind==='and') for(const i of f.items) visit(i);
    else if (f.kind==='lit' && isExcuse(f) && CHOSEN.test(f.test.operand.field.name)) add(r.name, f);
    else if (f.kind==='or') { if (f.items.every((i:any)=>i.kind==='lit' && isExcuse(i) && CHOSEN.test(i.test.operand.field.name))) add(r.name, f.items[0], true); else for (const i of f.items) if (i.kind==='and') visit2(i); }
  };
  const visit2=(f:any):void=>{};
  for (const e of exprs) visit(nnf(e,true));
}
function add(rule:string,l:any,all=false){ const k=(all?'ALL ':'')+l.test.operand.field.name; const s=rulesWith.get(k)??new Set(); s.add(rule+'  ::  '+writeTest(l.test).slice(0,140)); rulesWith.set(k,s); }
for (const [k,s] of rulesWith) console.log(k, s.size);
for (const [k,s] of rulesWith) if (k!=='process.name') { console.log('##',k); for (const x of s) console.log('   ',x);} 
