-- Takes out the tallies that were derived from samples; published counts are primary and stay.
DELETE FROM statistics WHERE origin = 'samples'
