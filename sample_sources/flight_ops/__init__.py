from sample_sources.flight_ops.address import url

__all__ = ["url"]
