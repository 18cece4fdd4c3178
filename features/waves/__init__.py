"""The SIGNAL feature set in parts: each file makes some of its columns from rows of samples or their spectra.

given           what is known of a row besides its samples
declarations    the features, their units, sources and what makes them worthless
statistics      time statistics
welch           the averaged spectrum of overlapping segments, band powers and the figures of its form
demodulated     the envelope of the band that is the most impulsive
fine            the spectrum of the whole window: what stands at the orders of the shaft, in a band, round gear mesh
cepstrum        families of equally spaced lines
integrated      velocity and displacement from acceleration
"""
