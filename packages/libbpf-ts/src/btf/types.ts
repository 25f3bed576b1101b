/** BTF as the compiler wrote it, with one object per type. `type` is an index into {@link Btf.types}; 0 is void. */

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** 0 when the member is not a bit-field */
  readonly bitSize: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: bigint;
}

export interface BtfSectionVariable {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

export interface BtfCompositeBody {
  readonly name: string;
  readonly size: number;
  readonly members: readonly BtfMember[];
}

export type BtfType =
  | { readonly kind: 'void'; readonly name: string }
  | {
      readonly kind: 'int';
      readonly name: string;
      readonly size: number;
      readonly signed: boolean;
      readonly bool: boolean;
      readonly bits: number;
    }
  | { readonly kind: 'float'; readonly name: string; readonly size: number }
  | { readonly kind: 'pointer'; readonly name: string; readonly type: number }
  | { readonly kind: 'array'; readonly name: string; readonly type: number; readonly length: number }
  | ({ readonly kind: 'struct' } & BtfCompositeBody)
  | ({ readonly kind: 'union' } & BtfCompositeBody)
  | {
      readonly kind: 'enum';
      readonly name: string;
      readonly size: number;
      readonly signed: boolean;
      readonly values: readonly BtfEnumerator[];
    }
  | { readonly kind: 'typedef'; readonly name: string; readonly type: number }
  | { readonly kind: 'modifier'; readonly name: string; readonly type: number }
  | { readonly kind: 'variable'; readonly name: string; readonly type: number }
  | {
      readonly kind: 'section';
      readonly name: string;
      readonly size: number;
      readonly variables: readonly BtfSectionVariable[];
    }
  | { readonly kind: 'function'; readonly name: string; readonly type: number }
  | { readonly kind: 'other'; readonly name: string };

export type BtfKind = BtfType['kind'];
export type BtfOf<K extends BtfKind> = Extract<BtfType, { readonly kind: K }>;
export type BtfComposite = BtfOf<'struct' | 'union'>;
