"""The jobs that bring something into the graph: samples, a layer, later links, communities and labels."""
