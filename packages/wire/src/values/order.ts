/** The fields of a Command that acts on its process alone, for ever, and needs no approval. */
export const PROCESS_ONLY = { reach: 'process', parameters: {}, until: 0, approvals: [] } as const;
