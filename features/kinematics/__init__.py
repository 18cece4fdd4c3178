"""What turning parts do: fault frequencies from geometry, speed, angle, demodulation bands, spectra of envelopes.

geometry    fault frequencies in orders of the shaft      angle      resampling over the angle of the shaft
speed       the speed of a window, and its course         bands      filter bank and kurtogram
tachometer  pulse times                                   lines      spectrum of an envelope, and how lines stand out
"""
