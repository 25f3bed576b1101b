declare const leafType: unique symbol;

/** The number of a leaf in its record. The type records how the leaf is encoded, so that it is read as what it is. */
type Leaf<Type extends string> = number & { readonly [leafType]: Type };

/** Int or long. */
export type LongLeaf = Leaf<'long'>;
export type BooleanLeaf = Leaf<'boolean'>;
/** Bytes or string. */
export type BytesLeaf = Leaf<'bytes'>;
export type FixedLeaf = Leaf<'fixed'>;
