"""The demonstration: a plant that does not exist on a Kafka that does.

stage   what has to run          feed    the plant, sent as an integrator would        watch   what comes out
board   what is known so far     screen  how it is shown while it runs                 report  what is told at the end
"""
