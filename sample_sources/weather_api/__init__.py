from sample_sources.weather_api.address import url

__all__ = ["url"]
