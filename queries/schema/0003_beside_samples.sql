-- What stands beside a sample and came later: other verdicts, scores under a model, judgements. Schema version 3.
-- A script; executed once in a store of version 2, inside one transaction with the row that records the version.

-- Verdicts beside the one in outcomes: of another verifier, or of another filter of the same evaluation.
CREATE TABLE verdicts (
    run_key UBIGINT,
    problem_key UBIGINT,
    sample INTEGER,
    verifier VARCHAR,    -- its name, or the filter's
    version VARCHAR,
    verdict VARCHAR,
    detail VARCHAR,
    answer VARCHAR,
    used BOOLEAN,        -- whether it counts instead of the verdict in outcomes
    created TIMESTAMP    -- UTC; of several used ones the last counts
);

-- Log-probability of a stored text under a model.
CREATE TABLE scores (
    run_key UBIGINT,     -- run of the sample; 0 for a text that was not sampled
    problem_key UBIGINT,
    sample INTEGER,      -- of a reference response, a hash of its text
    scorer VARCHAR,      -- the model it was scored under, by its name in the store
    engine VARCHAR,
    dtype VARCHAR,       -- float32 unless the user said otherwise
    tokens INTEGER,      -- tokens scored: the end-of-text token where the text ended, those of the prompt not
    logprob_sum DOUBLE   -- natural logarithm; NULL where the text does not fit the model's context
);

-- The same token by token, where it was asked for.
CREATE TABLE token_scores (
    run_key UBIGINT,
    problem_key UBIGINT,
    sample INTEGER,
    scorer VARCHAR,
    dtype VARCHAR,
    ends INTEGER[],      -- where each token ends in the text, in characters; NULL where the engine cannot say
    logprobs FLOAT[],    -- one a token
    alternatives VARCHAR -- JSON: for each token a list of [text, log-probability], the likeliest first, empty where the
                         -- token was sure; NULL when not kept
);

-- What a person or a step checker says of the reasoning. Never overwritten: a later judgement stands beside the earlier.
CREATE TABLE judgements (
    run_key UBIGINT,
    problem_key UBIGINT,
    sample INTEGER,
    author VARCHAR,      -- a person's name, or the checker's
    version VARCHAR,     -- of the checker; NULL for a person
    created TIMESTAMP,   -- UTC
    judgement VARCHAR,   -- valid, invalid, unsure; NULL for a note alone
    note VARCHAR
);
