"""WHAT is sent: the models of a bekymringsmelding, their JSON, XML and PDF. Pure: no network, no database, no clock."""
