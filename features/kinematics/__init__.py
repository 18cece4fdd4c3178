"""What turning parts do: fault frequencies from geometry, speed, angle, demodulation bands, spectra of envelopes.

geometry    fault frequencies in orders of the shaft      bands    envelopes of all bands of a whitened signal
tachometer  pulse times                                   lines    their spectra over orders, and the odds of a line
comb        the lines of a shaft: its speed, its change   search   families of lines, and the odds of the best place
speed       the speed of a window, and its course         levels   amplitudes in fixed bands, for a baseline
"""
