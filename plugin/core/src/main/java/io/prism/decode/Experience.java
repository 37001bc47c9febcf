package io.prism.decode;

/**
 * What speculation has cost and saved so far, carried from one request to the next. Immutable.
 *
 * @param saving mean time that a proposal's best tree was expected to save, in nanoseconds
 * @param draft mean time of making a proposal, in nanoseconds
 * @param draftPerStep the same for each of its steps
 * @param drafts proposals the means are of
 * @param probeCredit time, in nanoseconds, that may go into proposals that are not known to pay
 * @param allowance time, in nanoseconds, that trees may lose: what was gained, and a share of all time so far, less what
 *     was lost; negative if more was lost
 */
record Experience(double saving, double draft, double draftPerStep, long drafts, double probeCredit, double allowance) {
    static final Experience NONE = new Experience(0, 0, 0, 0, 0, 0);

    /** The same means, without anything to spend: for a second request at a time. */
    Experience withoutCredit() {
        return new Experience(saving, draft, draftPerStep, drafts, 0, Math.min(0, allowance));
    }
}
