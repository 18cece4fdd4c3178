"""Signal features as pure functions on arrays.

Waveforms
    catalog     the versioned feature sets, and `extract`: samples of many blocks to a feature matrix
    moments     rms, peak, crest factor, kurtosis, skewness, and the window for the spectrum
    spectrum    logarithmic band powers and the spectral centroid
    envelope    level, modulation depth and clearest line of the envelopes of six bands
Measurement windows of registered machines
    declared    the form in which a feature is declared, and the sets made of such
    masks       why a feature has no value
    signal      the SIGNAL set: all that is made from a window of samples; its parts are in
    waves/      (statistics, averaged and fine spectrum, envelope, cepstrum, orders and sidebands, velocity)
    kinematics/ what turns, and where its faults show
    zones       evaluation zones of vibration velocity
Rows of scalars
    telemetry   each value against the last rows of its tag
    trend       rolling least-squares slope of many series
Can the record be believed, and did the machine run
    quality     findings, transitions and usability of a block; made of
    inspection  (figures of the samples), excursions (stops and spikes), arrival (sequence, time, rate), conditions
    run_state   stopped, starting, running, stopping

All arrays have the block first. The result for a block does not depend on what else is in its batch, to the last bit:
sums are kept in a fixed number of lanes and added in a fixed order, transforms run along the last axis.
"""
