"""The elements of a data set written anew, one by one."""
