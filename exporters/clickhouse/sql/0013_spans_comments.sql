-- What these columns hold has grown since they were made.
ALTER TABLE spans
    COMMENT COLUMN token_basis 'How input_tokens was decided: inclusive, or inclusive_/exclusive_ and the rule: total, scope, dialect, cache_exceeds_input; empty without usage',
    COMMENT COLUMN usage_problem 'Why a token column is NULL, or the usage is not priced, although the sender reports something: negative, not_a_number, too_large, contradictory, missing_input, missing_output',
    COMMENT COLUMN counts 'Whether usage and cost of the span count: false where another span tells of the same usage. Sums: sumIf(cost_total, counts)',
    COMMENT COLUMN cost_source 'computed; reported: the total is what the sender reports; unpriced; or empty without usage'
